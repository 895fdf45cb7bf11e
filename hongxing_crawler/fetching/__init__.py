"""What we put into Scrapy's engine: the frontier as its scheduler, and downloads byte for byte."""
